// Package schema is what ent's generator is given: people with their pets and groups,
// by every kind of edge.
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is a person.
type User struct{ ent.Schema }

// Fields of a user.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("email").MaxLen(80).Unique(),
		field.String("name").MaxLen(50).Default("unknown"),
		field.Int("age").Optional().Nillable().Min(0),
		field.Enum("role").Values("admin", "user").Default("user"),
		field.JSON("tags", []string{}).Optional(),
		field.Time("created").Default(time.Now).Immutable(),
	}
}

// Edges of a user.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("pets", Pet.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
		edge.To("spouse", User.Type).Unique(),
		edge.From("groups", Group.Type).Ref("users"),
	}
}

// Pet belongs to a user, or to nobody.
type Pet struct{ ent.Schema }

// Fields of a pet.
func (Pet) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").MaxLen(50),
		field.Float("weight").Default(1.5),
	}
}

// Edges of a pet.
func (Pet) Edges() []ent.Edge {
	return []ent.Edge{edge.From("owner", User.Type).Ref("pets").Unique()}
}

// Indexes of a pet.
func (Pet) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name").Edges("owner").Unique()}
}

// Group has users, who may be in several.
type Group struct{ ent.Schema }

// Fields of a group.
func (Group) Fields() []ent.Field {
	return []ent.Field{field.String("name").MaxLen(40).Unique()}
}

// Edges of a group.
func (Group) Edges() []ent.Edge {
	return []ent.Edge{edge.To("users", User.Type)}
}
