"""Whether a viewer that was read before is the same now, for the round trip of BEGIN."""

from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What the gateway's statement for a viewer reads, compared in the same way: a session that is good, of a user
# who is active, whose roles' entries and grant are those given. Runs with the caller's rights, under row
# security; plpgsql keeps its plan for the connection.
STANDING = """
CREATE FUNCTION gateway.standing(
  of_tenant uuid, of_user uuid, of_session uuid, entries text[], platform boolean
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    WITH RECURSIVE held(role_id) AS (
      SELECT ur.role_id FROM public.user_roles ur WHERE ur.tenant_id = of_tenant AND ur.user_id = of_user
      UNION
      SELECT r.parent_role_id FROM public.roles r JOIN held ON held.role_id = r.id
      WHERE r.tenant_id = of_tenant AND r.parent_role_id IS NOT NULL
    )
    SELECT array(
        SELECT DISTINCT rp.permission FROM public.role_permissions rp JOIN held ON held.role_id = rp.role_id
        WHERE rp.tenant_id = of_tenant ORDER BY rp.permission
      ) = entries
      AND EXISTS (
        SELECT FROM gateway.platform_grants g WHERE g.tenant_id = of_tenant AND g.user_id = of_user
      ) = platform
    FROM public.users u JOIN public.sessions s ON s.tenant_id = of_tenant AND s.user_id = u.id
    WHERE u.tenant_id = of_tenant AND u.id = of_user AND u.status = 'active'
      AND s.id = of_session AND s.revoked_at IS NULL AND s.expires_at > now()
  );
END $$
"""
SIGNATURE = "gateway.standing(uuid, uuid, uuid, text[], boolean)"


def upgrade() -> None:
    gateway = context.config.attributes.get("gateway_role", "m3_gateway")
    op.execute(STANDING)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION {SIGNATURE} TO "{gateway}"')


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {SIGNATURE}")
