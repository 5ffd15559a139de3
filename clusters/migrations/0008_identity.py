"""As whom the cluster sees people. What is registered keeps MCM's own account, and shows it."""

from django.db import migrations, models

MODES = [("impersonation", "As the person"), ("service_account", "As MCM's own account")]


def _mode(default: str) -> models.CharField:  # type: ignore[type-arg]
    return models.CharField(choices=MODES, default=default, max_length=15, verbose_name="identity")


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0007_cover_places"),
    ]

    operations = [
        migrations.AddField("cluster", "identity_mode", _mode("service_account")),
        migrations.AlterField("cluster", "identity_mode", _mode("impersonation")),
        migrations.AddField("cluster", "binds_platform_admins", models.BooleanField(default=True)),
        migrations.AddField("cluster", "identity_fits", models.BooleanField(null=True)),
        migrations.AddField("cluster", "identity_report", models.JSONField(default=dict)),
        migrations.AddField(
            "cluster", "identity_digest", models.CharField(blank=True, max_length=64)
        ),
        migrations.AddField("cluster", "identity_changed_at", models.DateTimeField(null=True)),
    ]
