from django.db import models


class Tag(models.Model):
    name = models.CharField(max_length=30, unique=True)


class Post(models.Model):
    title = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    created = models.DateTimeField(auto_now_add=True)
    score = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    meta = models.JSONField(default=dict)
    author = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    tags = models.ManyToManyField(Tag)

    class Meta:
        unique_together = [("title", "author")]
        indexes = [models.Index(fields=["created", "score"], name="blog_created")]
        constraints = [models.CheckConstraint(check=models.Q(score__gte=0), name="score_pos")]
