from django.db import migrations

# The tokens of before reach as far as their owners, as they did. knox's own table stays for knox's
# migrations, but refers to nobody any more: Django empties and deletes users without knowing it.
MOVE = """
INSERT INTO teams_token (id, digest, token_key, user_id, name, level, created, expiry)
SELECT gen_random_uuid(), digest, token_key, user_id, '', 'admin', created, expiry
FROM knox_authtoken;
DELETE FROM knox_authtoken;
DO $$
DECLARE found text;
BEGIN
  FOR found IN
    SELECT conname FROM pg_constraint
    WHERE conrelid = 'knox_authtoken'::regclass AND contype = 'f'
  LOOP
    EXECUTE format('ALTER TABLE knox_authtoken DROP CONSTRAINT %I', found);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0005_tokens"),
        ("knox", "0009_extend_authtoken_field"),
    ]

    operations = [migrations.RunSQL(MOVE, migrations.RunSQL.noop)]
