"""Workloads that nothing owns are found without a look at all pods."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0008_identity"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                condition=models.Q(("kind__in", ("Pod", "ReplicaSet")), ("owner_name", "")),
                fields=["kind", "name", "id"],
                name="object_unowned",
            ),
        ),
    ]
