# SQLAlchemy's ORM over PyMySQL: schema, relations, queries, reflection. Its argument is
# the database's URL.
import sys
from decimal import Decimal

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, MetaData, Numeric, String, create_engine, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload

engine = create_engine(sys.argv[1])
Base = declarative_base()


class Parent(Base):
    __tablename__ = "parent"
    id = Column(BigInteger, primary_key=True)
    name = Column(String(50), unique=True)
    children = relationship("Child", back_populates="parent", cascade="all, delete-orphan")


class Child(Base):
    __tablename__ = "child"
    id = Column(BigInteger, primary_key=True)
    parent_id = Column(BigInteger, ForeignKey("parent.id"))
    amount = Column(Numeric(10, 2))
    created = Column(DateTime, server_default=func.now())
    parent = relationship("Parent", back_populates="children")


Base.metadata.create_all(engine)
with Session(engine) as s:
    for i in range(5):
        s.add(Parent(name=f"p{i}", children=[Child(amount=Decimal("1.25") * j) for j in range(3)]))
    s.commit()
    sums = s.execute(select(Parent.name, func.count(), func.sum(Child.amount)).join(Child).group_by(Parent.name).order_by(Parent.name)).all()
    assert sums == [(f"p{i}", 3, Decimal("3.75")) for i in range(5)], sums
    p = s.scalars(select(Parent).where(Parent.name == "p3")).one()
    p.children.pop()
    p.name = "q3"
    s.commit()
    assert len(p.children) == 2
    s.add(Parent(name="p1"))
    try:
        s.commit()
        assert False, "a name stands twice"
    except IntegrityError as e:
        assert e.orig.args[0] == 1062, e
        s.rollback()
    s.delete(p)
    s.commit()
    assert s.scalar(select(func.count()).select_from(Child)) == 12
    first = s.scalars(select(Parent).options(selectinload(Parent.children)).order_by(Parent.id)).first()
    assert first.children[0].created is not None

seen = inspect(engine)
assert {"child", "parent"} <= set(seen.get_table_names())
assert seen.get_foreign_keys("child")[0]["referred_table"] == "parent"
assert seen.get_unique_constraints("parent")[0]["column_names"] == ["name"]
assert seen.get_columns("child")[3]["default"] == "CURRENT_TIMESTAMP"
found = MetaData()
found.reflect(engine)
assert str(found.tables["child"].c.amount.type) == "DECIMAL(10, 2)"
Base.metadata.drop_all(engine)
