from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [
        migrations.AlterField("Tag", "name", models.CharField(max_length=30, unique=True)),
        migrations.RenameField("Post", "made", "created"),
        migrations.AddField("Post", "score", models.DecimalField(max_digits=8, decimal_places=2, default=0)),
        migrations.AddField("Post", "meta", models.JSONField(default=dict)),
        migrations.AddIndex("Post", models.Index(fields=["created", "score"], name="blog_created")),
        migrations.AddConstraint("Post", models.CheckConstraint(check=models.Q(score__gte=0), name="score_pos")),
        migrations.AlterUniqueTogether("Post", {("title", "author")}),
    ]
