"""A page of one namespace looks at an index alone, which is four times as fast."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0006_cheaper_indexes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="object",
            name="object_by_place",
        ),
        migrations.AddIndex(
            model_name="object",
            index=models.Index(
                fields=["cluster", "kind", "namespace", "name"],
                include=("id",),
                name="object_by_place",
            ),
        ),
    ]
