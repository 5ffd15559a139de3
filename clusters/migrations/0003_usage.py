import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# By hand, since Django makes no partitions. Clusters go with their samples in the database itself:
# a poll may write while a cluster is being deleted.
TABLES = """
CREATE TABLE clusters_usage (
  cluster_id uuid NOT NULL REFERENCES clusters_cluster ON DELETE CASCADE,
  scope varchar(9) NOT NULL,
  namespace varchar(63) NOT NULL,
  name varchar(253) NOT NULL,
  hour timestamptz NOT NULL,
  cpu int[] NOT NULL,
  memory int[] NOT NULL,
  PRIMARY KEY (cluster_id, scope, namespace, name, hour)
) PARTITION BY RANGE (hour);
CREATE INDEX usage_of_wholes ON clusters_usage (hour) WHERE scope <> 'pod';
CREATE TABLE clusters_usagehour (
  cluster_id uuid NOT NULL REFERENCES clusters_cluster ON DELETE CASCADE,
  scope varchar(9) NOT NULL,
  namespace varchar(63) NOT NULL,
  name varchar(253) NOT NULL,
  day date NOT NULL,
  cpu int[] NOT NULL,
  memory int[] NOT NULL,
  PRIMARY KEY (cluster_id, scope, namespace, name, day)
) WITH (fillfactor = 70);
CREATE INDEX usagehour_by_day ON clusters_usagehour (day);
"""
NO_TABLES = "DROP TABLE clusters_usagehour; DROP TABLE clusters_usage;"


def samples(name, last_key, field):
    amounts = django.contrib.postgres.fields.ArrayField(
        base_field=models.IntegerField(null=True), size=60
    )
    return migrations.CreateModel(
        name=name,
        fields=[
            ("scope", models.CharField(max_length=9)),
            ("namespace", models.CharField(max_length=63)),
            ("name", models.CharField(max_length=253)),
            ("cpu", amounts),
            ("memory", amounts),
            (
                "pk",
                models.CompositePrimaryKey(
                    "cluster", "scope", "namespace", "name", last_key,
                    blank=True, editable=False, primary_key=True, serialize=False,
                ),
            ),
            (last_key, field),
            (
                "cluster",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    related_name="+",
                    to="clusters.cluster",
                ),
            ),
        ],
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("clusters", "0002_inventory"),
    ]

    operations = [
        migrations.CreateModel(
            name="Capacity",
            fields=[
                (
                    "cluster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="clusters.cluster",
                    ),
                ),
                ("cpu_used", models.BigIntegerField(null=True)),
                ("memory_used", models.BigIntegerField(null=True)),
                ("cpu_requested", models.BigIntegerField(default=0)),
                ("memory_requested", models.BigIntegerField(default=0)),
                ("cpu_allocatable", models.BigIntegerField(default=0)),
                ("memory_allocatable", models.BigIntegerField(default=0)),
                ("pods", models.PositiveIntegerField(default=0)),
                ("sampled_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PollDue",
            fields=[
                (
                    "cluster",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="clusters.cluster",
                    ),
                ),
                ("due", models.DateTimeField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, NO_TABLES)],
            state_operations=[
                samples("Usage", "hour", models.DateTimeField()),
                samples("UsageHour", "day", models.DateField()),
            ],
        ),
    ]
