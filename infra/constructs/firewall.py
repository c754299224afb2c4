"""The firewall in front of the API."""

from aws_cdk.aws_apigateway import Stage
from aws_cdk.aws_wafv2 import CfnWebACL, CfnWebACLAssociation
from constructs import Construct

REQUESTS_PER_FIVE_MINUTES = 6000
"""Of one address: a whole county office, with its GIS clients, comes from one."""

_MANAGED: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    # Mappings and reports have bodies over 8 KB, mappings hold regular expressions (which look like markup and paths),
    # notes hold what people write, a source holds an address, a polygon or a filter makes a long query: handlers check
    # sizes and schemas themselves.
    "AWSManagedRulesCommonRuleSet": (
        "SizeRestrictions_BODY",
        "SizeRestrictions_QUERYSTRING",
        "CrossSiteScripting_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
    ),
    # A mapping may hold a query for the county's own system: a body with SQL in it is not an attack. Ours are
    # never put together from text.
    "AWSManagedRulesSQLiRuleSet": ("SQLi_BODY", "SQLiExtendedPatterns_BODY"),
}
"""AWS's rule groups, each with the rules of it that only count."""


class Firewall(Construct):
    """A web ACL on the API's stage: AWS's managed rules, and a limit a client address."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        rules = [_managed(priority, group, counted) for priority, (group, counted) in enumerate(_MANAGED.items(), 1)]
        acl = CfnWebACL(
            self,
            "WebAcl",
            name=name,
            scope="REGIONAL",
            default_action=CfnWebACL.DefaultActionProperty(allow=CfnWebACL.AllowActionProperty()),
            visibility_config=_visibility(name),
            rules=[_rate_rule(priority=0), *rules],
        )
        CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _rate_rule(*, priority: int) -> CfnWebACL.RuleProperty:
    return CfnWebACL.RuleProperty(
        name="RatePerAddress",
        priority=priority,
        action=CfnWebACL.RuleActionProperty(
            block=CfnWebACL.BlockActionProperty(
                custom_response=CfnWebACL.CustomResponseProperty(response_code=429),
            )
        ),
        statement=CfnWebACL.StatementProperty(
            rate_based_statement=CfnWebACL.RateBasedStatementProperty(
                limit=REQUESTS_PER_FIVE_MINUTES, aggregate_key_type="IP", evaluation_window_sec=300
            )
        ),
        visibility_config=_visibility("RatePerAddress"),
    )


def _managed(priority: int, group: str, counted: tuple[str, ...]) -> CfnWebACL.RuleProperty:
    return CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=CfnWebACL.OverrideActionProperty(none={}),
        statement=CfnWebACL.StatementProperty(
            managed_rule_group_statement=CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[
                    CfnWebACL.RuleActionOverrideProperty(
                        name=rule, action_to_use=CfnWebACL.RuleActionProperty(count=CfnWebACL.CountActionProperty())
                    )
                    for rule in counted
                ],
            )
        ),
        visibility_config=_visibility(group),
    )


def _visibility(metric: str) -> CfnWebACL.VisibilityConfigProperty:
    return CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, sampled_requests_enabled=True, metric_name=metric
    )
