"""The next roll of a legacy system: a county's year begins with the values of the year before, carried forward."""

from sqlalchemy.engine import URL

from infra.examples.legacy.building import connected

_CARRY_FORWARD = """
INSERT INTO asmt_all
SELECT jur, parid, '1999', cur, deactivat, rolltype, valclass, valapr1, valapr2, valapr3, valasm1, valasm2, valasm3,
    'ROLL', '1999-01-01 08:15:00.0'
FROM asmt_all AS before
WHERE taxyr = '1998' AND cur = 'Y' AND deactivat = ''
    AND NOT EXISTS (SELECT FROM asmt_all AS a WHERE a.parid = before.parid AND a.taxyr = '1999')
"""


def open_roll_of_1999(lucas_oh: URL) -> None:
    """Open the roll of 1999 in Lucas County's system, where that is not done yet."""
    with connected(lucas_oh) as connection:
        connection.run_alone(_CARRY_FORWARD)
