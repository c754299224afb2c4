"""The user pool: who may sign in, and what users cannot do to themselves."""

from shared.access import Permission, Role
from tests.infrastructure.assembly import Templates


def test_users_cannot_write_their_own_counties(templates: Templates) -> None:
    client = templates.one("AWS::Cognito::UserPoolClient").properties

    assert client["WriteAttributes"] == ["email"]
    assert "custom:counties" in client["ReadAttributes"]


def test_counties_can_be_changed_by_an_administrator(templates: Templates) -> None:
    schema = {a["Name"]: a for a in templates.one("AWS::Cognito::UserPool").properties["Schema"]}

    assert schema["counties"]["Mutable"] is True


def test_nobody_signs_up_by_themselves(templates: Templates) -> None:
    pool = templates.one("AWS::Cognito::UserPool").properties

    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["UserPoolTier"] == "ESSENTIALS"
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12


def test_the_groups_are_the_roles(templates: Templates) -> None:
    groups = {g.properties["GroupName"] for g in templates.resources("AWS::Cognito::UserPoolGroup")}

    assert groups == {role.value for role in Role}


def test_there_is_a_scope_for_every_permission(templates: Templates) -> None:
    server = templates.one("AWS::Cognito::UserPoolResourceServer").properties

    assert {f"{server['Identifier']}/{s['ScopeName']}" for s in server["Scopes"]} == {p.scope for p in Permission}


def test_tokens_are_filled_by_the_second_version_of_the_trigger(templates: Templates) -> None:
    trigger = templates.one("AWS::Cognito::UserPool").properties["LambdaConfig"]["PreTokenGenerationConfig"]

    assert trigger["LambdaVersion"] == "V2_0"
    assert trigger["LambdaArn"] == {"Ref": templates.one("AWS::Lambda::Alias", "Identity").logical_id}


def test_the_client_has_no_secret_and_tells_nobody_which_users_exist(templates: Templates) -> None:
    client = templates.one("AWS::Cognito::UserPoolClient").properties

    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert set(client["ExplicitAuthFlows"]) == {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}


def test_a_signed_out_caller_is_out_within_a_quarter_of_an_hour(templates: Templates) -> None:
    """The gateway does not ask whether a token was revoked: only its end closes the API."""
    client = templates.one("AWS::Cognito::UserPoolClient").properties

    assert client["EnableTokenRevocation"] is True
    for use in ("AccessToken", "IdToken"):
        assert (client[f"{use}Validity"], client["TokenValidityUnits"][use]) == (15, "minutes")


def test_a_second_factor_is_each_users_choice_and_an_app(templates: Templates) -> None:
    pool = templates.one("AWS::Cognito::UserPool").properties

    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
