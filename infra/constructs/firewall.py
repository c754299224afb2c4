"""The firewall in front of the API."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk.aws_apigateway import Stage
from aws_cdk.aws_logs import LogGroup, RetentionDays
from aws_cdk.aws_wafv2 import CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation
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

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, stage: Stage, retention: RetentionDays
    ) -> None:
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
        self._log_refusals(acl, name, retention)

    def _log_refusals(self, acl: CfnWebACL, name: str, retention: RetentionDays) -> None:
        """Log what is blocked, and what a rule that only counts would have blocked, without tokens."""
        log = LogGroup(
            self,
            "Log",
            log_group_name=f"aws-waf-logs-{name}",  # WAF takes no other beginning
            retention=retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        kept = [{"ActionCondition": {"Action": action}} for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")]
        CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [{"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": kept}],
            },
            redacted_fields=[
                CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": "authorization"}),
            ],
        )


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
