"""Indexes of the inventory: each order to walk along, and what is looked for in the rows."""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models

import clusters.models.seen

# array_to_string() is only "stable", since for some types it depends on settings; for text it is not.
IMAGES = r"""
CREATE FUNCTION clusters_images_text(text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$ SELECT array_to_string($1, E'\n') $$;
"""
NO_IMAGES = "DROP FUNCTION clusters_images_text(text[]);"


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0004_watching"),
    ]

    operations = [
        migrations.RunSQL(IMAGES, NO_IMAGES),
        migrations.RemoveIndex(model_name="object", name="object_by_name"),
        migrations.RemoveIndex(model_name="object", name="object_by_health"),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                fields=["kind", "name", "id"],
                include=["cluster", "namespace", "health", "status"],
                name="object_by_name",
            ),
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                fields=["kind", "health", "status", "name", "id"], name="object_by_state"
            ),
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(fields=["kind", "restarts", "id"], name="object_by_restarts"),
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(fields=["kind", "node", "id"], name="object_by_node"),
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                fields=["owner_name"], name="object_by_owner", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="object",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass("labels", "jsonb_path_ops"),
                name="object_labels",
            ),
        ),
        migrations.AddIndex(
            model_name="object",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper(
                        clusters.models.seen.ImagesText("images")
                    ),
                    "gin_trgm_ops",
                ),
                name="object_images",
            ),
        ),
    ]
