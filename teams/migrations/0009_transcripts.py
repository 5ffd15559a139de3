import django.db.models.deletion
from django.db import migrations, models

# What was shown stays as it was: a piece is sealed anew when the keys change, and goes when its
# line has gone, for which the line's own trigger asks for the anchor.
KEEP = """
CREATE FUNCTION teams_keep_transcripts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF to_jsonb(NEW) - 'sealed' = to_jsonb(OLD) - 'sealed' THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT FROM teams_auditevent WHERE id = OLD.event_id) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'transcripts are neither changed nor removed before their line'
    USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER transcripts_kept BEFORE UPDATE OR DELETE ON teams_transcriptpiece
  FOR EACH ROW EXECUTE FUNCTION teams_keep_transcripts();
CREATE TRIGGER transcripts_not_emptied BEFORE TRUNCATE ON teams_transcriptpiece
  FOR EACH STATEMENT EXECUTE FUNCTION teams_keep_transcripts();
"""
LET_GO = """
DROP TRIGGER transcripts_not_emptied ON teams_transcriptpiece;
DROP TRIGGER transcripts_kept ON teams_transcriptpiece;
DROP FUNCTION teams_keep_transcripts();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0008_audit_begun"),
    ]

    operations = [
        migrations.CreateModel(
            name="TranscriptPiece",
            fields=[
                ("id", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("sealed", models.BinaryField()),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="teams.auditevent",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of a transcript",
                "verbose_name_plural": "parts of transcripts",
                "ordering": ["event_id", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("event", "number"), name="one_transcript_piece")
                ],
            },
        ),
        migrations.RunSQL(KEEP, LET_GO),
    ]
