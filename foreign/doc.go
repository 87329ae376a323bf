// Package foreign tells which foreign keys the shards keep by themselves and
// which the gate has to. In flow a schema and a VSchema; out flow [Keys]: every
// foreign key from both its sides, with the reason why the gate keeps it.
//
// A key is one or the other, never both. The shards keep a key whose rows always
// live beside their parents; any other, and one that leads to another keyspace, is
// the gate's ([Key.Gate]). Beyond that, the gate takes over a key of co-located
// tables where the engine's own action would hide what it does to the child's rows
// from the gate, which has more to do for them (keep a key that leads on to other
// shards, or the entries of a lookup); and one whose children the gate removes by
// another way, of which the engine would not know in time. Where an engine can't leave
// foreign keys unchecked at all, the gate has all keys ([Shards.Bound]).
//
// Schema changes and plans ask the same question and get the same answer, so
// that a shard's tables have exactly the keys that the planner leaves to it.
package foreign
