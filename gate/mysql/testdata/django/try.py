# Django over PyMySQL: its own migrations and a model's, and its ORM. The arguments are
# the host and the port.
import os
import sys

import pymysql

pymysql.version_info = (1, 4, 6, "final", 0)  # Django asks for mysqlclient, whose place it takes
pymysql.install_as_MySQLdb()

import django
from django.conf import settings
from django.core.management import call_command

host, port = sys.argv[1:]
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "USER": "root", "HOST": host, "PORT": port}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.admin", "django.contrib.messages", "blog"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True, SECRET_KEY="of the test",
)
os.chdir(os.path.dirname(os.path.abspath(__file__)))
django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Sum, Window
from django.db.models.functions import RowNumber, TruncYear

from blog.models import Post, Tag


def same(got, want):
    got = list(got)
    assert got == want, f"got {got}, want {want}"


users = [User.objects.create_user(f"u{i}") for i in range(3)]
Tag.objects.bulk_create([Tag(name=n) for n in "abc"])
tags = list(Tag.objects.order_by("name"))
for i in range(9):
    post = Post.objects.create(title=f"t{i}", slug=f"s{i}", author=users[i % 3], score=i, meta={"k": i, "l": [1, 2]})
    post.tags.set(tags[: i % 3 + 1])

same(User.objects.annotate(n=Count("post"), s=Sum("post__score")).order_by("-s").values_list("username", "n", "s"), [("u2", 3, 15), ("u1", 3, 12), ("u0", 3, 9)])
same(Post.objects.filter(tags__name="b", author__username="u1").order_by("id").values_list("title", flat=True), ["t1", "t4", "t7"])
same(Post.objects.filter(meta__k=3).values_list("title", flat=True), ["t3"])
same([Post.objects.filter(meta__l__contains=2).count()], [9])
same([Post.objects.filter(Exists(Tag.objects.filter(post=OuterRef("pk"), name="c"))).count(), Post.objects.exclude(tags__name="b").count()], [3, 3])
same(Post.objects.annotate(y=TruncYear("created")).values("y").annotate(n=Count("id")).values_list("n", flat=True), [9])
ranked = Window(RowNumber(), partition_by=[F("author")], order_by=F("score").desc())
same(Post.objects.annotate(rank=ranked).order_by("id").values_list("title", "rank")[:4], [("t0", 3), ("t1", 3), ("t2", 3), ("t3", 2)])

with transaction.atomic():
    post = Post.objects.select_for_update().get(slug="s2")
    post.score = F("score") + 10
    post.save()
    try:
        with transaction.atomic():  # a savepoint
            Post.objects.filter(id=post.id).update(title="never")
            Post.objects.create(title="x", slug="s1", author=users[0])
        assert False, "a slug stands twice"
    except IntegrityError as e:
        assert e.args[0] == 1062, e
post.refresh_from_db()
same([post.score, post.title], [12, "t2"])
try:
    Post.objects.create(title="y", slug="y", author=users[0], score=-1)
    assert False, "the score is below 0"
except IntegrityError as e:
    assert e.args[0] == 3819, e

same([Post.objects.update_or_create(slug="s3", defaults={"title": "n"})[1], Post.objects.get_or_create(slug="new", defaults={"author": users[1]})[1]], [False, True])
Post.objects.bulk_update([Post(id=Post.objects.get(slug="s1").id, title="other")], ["title"])
Tag.objects.bulk_create([Tag(name="a"), Tag(name="d")], ignore_conflicts=True)
same([Tag.objects.count(), Post.objects.get(slug="s1").title], [4, "other"])
with connection.cursor() as c:
    found = connection.introspection.get_constraints(c, "blog_post")
assert {"PRIMARY", "score_pos"} <= set(found), found
User.objects.filter(username="u0").delete()
same(Post.objects.order_by("slug").values_list("slug", flat=True), ["new", "s1", "s2", "s4", "s5", "s7", "s8"])
call_command("migrate", "blog", "zero", verbosity=0)
