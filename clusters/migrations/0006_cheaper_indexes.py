"""Indexes that cost less with each change: whole images instead of their trigrams."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# In order: two that add the same images wait for each other, never both ways.
KEEP = """
CREATE FUNCTION clusters_keep_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO clusters_image (name)
  SELECT DISTINCT image FROM fresh, unnest(images) AS image
  WHERE NOT EXISTS (SELECT FROM clusters_image AS known WHERE known.name = image)
  ORDER BY image ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER images_inserted AFTER INSERT ON clusters_object
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION clusters_keep_images();
CREATE TRIGGER images_updated AFTER UPDATE ON clusters_object
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION clusters_keep_images();
INSERT INTO clusters_image (name) SELECT DISTINCT unnest(images) FROM clusters_object;
"""
FORGET = """
DROP TRIGGER images_inserted ON clusters_object;
DROP TRIGGER images_updated ON clusters_object;
DROP FUNCTION clusters_keep_images();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0005_inventory_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Image",
            fields=[("name", models.TextField(primary_key=True, serialize=False))],
        ),
        migrations.RunSQL(KEEP, FORGET),
        migrations.RemoveIndex(model_name="object", name="object_images"),
        migrations.AddIndex(
            model_name="object",
            index=django.contrib.postgres.indexes.GinIndex(fields=["images"], name="object_images"),
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                fields=["kind", "health", "since"],
                condition=~models.Q(health="healthy") & ~models.Q(health="idle"),
                name="object_by_trouble",
            ),
        ),
        migrations.AlterField(
            model_name="object",
            name="cluster",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="objects_seen",
                to="clusters.cluster",
            ),
        ),
    ]
