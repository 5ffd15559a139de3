from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0003_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="namespace",
            name="uid",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="kindstate",
            name="state",
            field=models.CharField(
                choices=[
                    ("listing", "Listing"),
                    ("watching", "Watching"),
                    ("lost", "Lost"),
                    ("forbidden", "Not permitted"),
                    ("absent", "Not available"),
                ],
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint(model_name="object", name="one_object"),
        migrations.AddConstraint(
            model_name="object",
            constraint=models.UniqueConstraint(
                fields=("cluster", "kind", "uid"), name="one_object"
            ),
        ),
    ]
