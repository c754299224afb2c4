"""The identity stack: user pool, a group for each role, and a scope for each permission."""

from typing import Any

from aws_cdk import CfnOutput, CrossStackReferences, Duration, ReferenceStrength, RemovalPolicy, Stack
from aws_cdk.aws_cognito import (
    AccountRecovery,
    AuthFlow,
    CfnUserPool,
    CfnUserPoolGroup,
    ClientAttributes,
    FeaturePlan,
    LambdaVersion,
    Mfa,
    MfaSecondFactor,
    PasswordPolicy,
    ResourceServerScope,
    SignInAliases,
    StandardAttribute,
    StandardAttributes,
    StringAttribute,
    UserPool,
    UserPoolOperation,
)
from constructs import Construct

from infra.best_practices import accept
from infra.constructs.platform import Platform
from infra.constructs.service_function import ServiceFunction
from infra.function_specs import FunctionSpec, Grant
from shared.access import SCOPE_PREFIX, Permission, Role

COUNTIES_ATTRIBUTE = "counties"
"""`custom:counties`: the ids of a user's counties, separated by blanks. Administrators write it, users cannot."""

ACCESS_TOKEN_VALIDITY = Duration.minutes(15)
"""For so long a signed-out caller's access token still opens the API: the gateway's authorizer checks signature and
end, and does not ask whether it was revoked. A choice between Cognito's least, five minutes, and a refresh an hour.
"""


class IdentityStack(Stack):
    """A user pool without self-service sign-up."""

    def __init__(
        self, scope: Construct, construct_id: str, platform: Platform, pre_token: FunctionSpec, **kwargs: Any
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        production = platform.settings.production
        self.pool = UserPool(
            self,
            "Users",
            user_pool_name=platform.settings.physical_name("users"),
            feature_plan=FeaturePlan.ESSENTIALS,
            self_sign_up_enabled=False,
            sign_in_aliases=SignInAliases(username=True),
            sign_in_case_sensitive=False,
            account_recovery=AccountRecovery.EMAIL_ONLY,
            standard_attributes=StandardAttributes(email=StandardAttribute(required=True, mutable=True)),
            custom_attributes={COUNTIES_ATTRIBUTE: StringAttribute(mutable=True, max_len=2048)},
            password_policy=PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
                password_history_size=5,
            ),
            mfa=Mfa.OPTIONAL,
            mfa_second_factor=MfaSecondFactor(otp=True, sms=False),
            deletion_protection=production,
            removal_policy=RemovalPolicy.RETAIN if production else RemovalPolicy.DESTROY,
        )
        self._send_mails_from(platform.settings.mail_sender)
        # CloudFormation refuses to replace it as long as a function of another stack has its id.
        CrossStackReferences.of(self.pool).produce(ReferenceStrength.STRONG)
        accept(
            self.pool,
            {
                "AwsSolutions-COG2": "Each user turns a second factor on; an office's first day must not need an app.",
                "AwsSolutions-COG8": "Threat protection is 0.02 dollars a user; Essentials has the V2 trigger.",
            },
        )
        trigger = ServiceFunction(self, pre_token, platform)
        self.functions = [trigger.function]
        self.pool.add_trigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, trigger.alias, LambdaVersion.V2_0)
        self.pool.add_resource_server(
            "Permissions",
            identifier=SCOPE_PREFIX.rstrip("/"),
            scopes=[
                ResourceServerScope(scope_name=p.value, scope_description=p.value.replace("_", " ").capitalize())
                for p in Permission
            ],
        )
        for role in Role:
            CfnUserPoolGroup(self, f"{role.value}Group", user_pool_id=self.pool.user_pool_id, group_name=role.value)
        client = self.pool.add_client(
            "Application",
            user_pool_client_name=platform.settings.physical_name("application"),
            generate_secret=False,
            auth_flows=AuthFlow(user_password=True),
            disable_o_auth=True,
            enable_token_revocation=True,
            prevent_user_existence_errors=True,
            access_token_validity=ACCESS_TOKEN_VALIDITY,
            id_token_validity=ACCESS_TOKEN_VALIDITY,
            refresh_token_validity=Duration.days(30),
            read_attributes=ClientAttributes()
            .with_standard_attributes(email=True, email_verified=True)
            .with_custom_attributes(COUNTIES_ATTRIBUTE),
            write_attributes=ClientAttributes().with_standard_attributes(email=True),
        )
        environment = {
            "USER_POOL_ID": self.pool.user_pool_id,
            "USER_POOL_CLIENT_ID": client.user_pool_client_id,
        }
        platform.offer(Grant.SIGN_IN, environment=environment, allow=lambda _role: None)
        platform.offer(
            Grant.READ_USERS,
            environment=environment,
            allow=lambda role: self.pool.grant(role, "cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser"),
        )
        platform.offer(
            Grant.MANAGE_USERS,
            environment=environment,
            allow=lambda role: self.pool.grant(
                role, "cognito-idp:AdminGetUser", "cognito-idp:AdminUpdateUserAttributes"
            ),
        )
        platform.offer(
            Grant.ADMINISTER_USERS,
            environment=environment,
            allow=lambda role: self.pool.grant(
                role,
                "cognito-idp:AdminCreateUser",
                "cognito-idp:AdminAddUserToGroup",
                "cognito-idp:AdminRemoveUserFromGroup",
                "cognito-idp:AdminSetUserMFAPreference",
                "cognito-idp:AdminSetUserPassword",
                "cognito-idp:AdminDisableUser",
                "cognito-idp:AdminEnableUser",
                "cognito-idp:AdminUserGlobalSignOut",
            ),
        )
        CfnOutput(self, "UserPoolId", value=self.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=client.user_pool_client_id)

    def _send_mails_from(self, sender: str) -> None:
        """Have SES send the mails to users, on CloudFormation's resource: the CDK's own has to know the region."""
        if sender:
            resource = self.pool.node.default_child
            assert isinstance(resource, CfnUserPool)  # noqa: S101
            resource.email_configuration = CfnUserPool.EmailConfigurationProperty(
                email_sending_account="DEVELOPER",
                from_=f"TerraFusion <{sender}>",
                source_arn=self.format_arn(service="ses", resource="identity", resource_name=sender.partition("@")[2]),
            )
