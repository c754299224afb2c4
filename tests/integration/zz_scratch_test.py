import sys,time,json
sys.path.insert(0,'/tmp/scratch')
from decimal import Decimal
from datetime import UTC,date,datetime
from sqlalchemy import insert
from shared.db import unit_of_work
from shared.db.models import County, PropertyOperational, Sale
from functions.valuation.handler import handler
from functions.valuation import fitted
from shared.evidence import *
from tests.gateway import call
from tests.job_cloud import job_cloud, run_task
import functions.ratio_study.handler as rh, functions.ratio_study.task as rt
from proto import king
def test_it(database,job_cloud):
    d,cut=king(); n=len(d['price']); seen=set()
    P={"source_system":"T","row_hash":"h","version":1,"valid_from":datetime(2026,3,1,tzinfo=UTC)}
    props=[];sales=[]
    for i in range(n):
        pid=str(d['id'][i])
        if pid not in seen:
            seen.add(pid)
            props.append(dict(county_id='king_wa',property_id=pid,situs_address=f'{i} Main',property_class='residential',neighborhood=str(d['hood'][i]),longitude=float(d['lon'][i]),latitude=float(d['lat'][i]),land_area_sqft=float(d['lot'][i]),living_area_sqft=float(d['size'][i]),year_built=int(d['yb'][i]),bedrooms=float(d['beds'][i]),bathrooms=float(d['baths'][i]),stories=float(d['floors'][i]),quality=str(d['qual'][i]),condition=str(d['cond'][i]),attributes={k:float(v[i]) for k,v in d['num'].items()},total_value=0,**P))
        sales.append(dict(county_id='king_wa',sale_id=f'S{i}',property_id=pid,sale_date=date.fromordinal(int(d['day'][i])),sale_price=float(d['price'][i]),validity_code='valid',**P))
    with unit_of_work('king_wa') as c:
        c.execute(insert(County).values(county_id='king_wa',friendly_name='k',configuration={},mapping='',version=1))
        c.execute(insert(PropertyOperational).returning(PropertyOperational.county_id),props); c.execute(insert(Sale).returning(Sale.county_id),sales)
    with unit_of_work('king_wa') as c:
        t=time.time(); e=read_evidence(c,'king_wa'); print('\nread_evidence',len(e),time.time()-t, e.kinds)
        t=time.time(); evidence_version(c,'king_wa'); print('version',time.time()-t)
    def v(i,on='2015-05-25'):
        t=time.time(); a=call(handler,'POST','/v1/counties/{county_id}/valuations',path={'county_id':'king_wa'},body={'property_id':str(d['id'][i]),'valuation_date':on}); return a,time.time()-t
    a,dt=v(5); print('first',a.status,dt)
    ts=[v(i)[1] for i in range(10,60)]; print('next median ms',1000*sorted(ts)[25], 'max',1000*max(ts))
    import cProfile,pstats
    pr=cProfile.Profile(); pr.enable()
    for i in range(100,140): v(i)
    pr.disable(); pstats.Stats(pr).sort_stats('cumtime').print_stats(60)
