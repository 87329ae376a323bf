// Package waits is the write locks of the tablets that live together, and what keeps
// transactions from waiting for each other for ever.
//
// A shard has one write lock, a [Queue], which is served in the order of coming. The
// queues of one process share a [Graph]. A lock that is free is taken without it; where
// a wait begins, the graph looks whether everybody may go on waiting, and has somebody
// die at once if not: error DEADLOCK, roll back, begin anew.
//
//	Acquire ──▶ free? ──▶ taken
//	              │
//	              ▼
//	        the queue's end ──▶ Graph: a circle? ──▶ the youngest in it dies
//	                                 │
//	                                 ▼
//	                            wait ──▶ taken, too late, or dead
//
// # Who waits for whom
//
// Who waits at a lock waits for its holder and for all before it in the queue. These
// edges come about when a wait begins, and only then: who takes a free lock is waited
// for by nobody there, and a lock that is passed on makes a holder of somebody who was
// ahead already. Waits begin one after the other, under the graph's mutex. So the wait
// that closes a circle finds all the rest of it in place, and what it finds is true: who
// is seen in a circle can't have let go of anything since its wait began, unless that
// has just ended, by its time or its client.
//
// # Known transactions and strangers
//
// A transaction whose every shard is kept by this process says so by an ID, the same at
// all of them. It is known: the graph sees all that it holds and waits for. Whoever has
// no ID is a stranger. It may hold locks at other servers and wait there, which nobody
// here can see; or its gate is an older one that gives no IDs. Of a stranger its age is
// known, and whether it holds anything, and it waits for one lock at a time or says
// that it holds something. Two rules:
//
//  1. No circle of known transactions.
//  2. No way of waiting that leads from a stranger that holds something, over known
//     transactions only or over none, to a stranger that isn't younger.
//
// With them no circle goes unseen, wherever it lies. One without strangers lies in one
// graph, for the known ones in it belong there, and is against the first rule. Any other
// is cut by its strangers into pieces, each of which lies in one graph, as those
// between are known there. Every stranger in a circle holds what another one waits for;
// so by the second rule each piece leads from an older stranger to a younger one, all
// the way around, which can't be.
//
// Where all are strangers, the second rule is wait-die: who holds something and would
// wait for an older one dies. Where none is, nobody dies but for a circle that is there.
// Tablets by themselves, whose transactions all may be elsewhere too, have a graph each
// and know nobody.
//
// Those of age [tablet.Eldest] are an exception to the second rule: these locks are
// waited for in one order by all, by transactions that hold lower ones only, so that
// one such stranger may wait at a lock that another holds or waits for. A circle in
// which no age rises consists of them alone, and can't be, for the order.
//
// # Who dies
//
// Of those that wait along a circle, or along a way that is against the second rule, the
// youngest dies: it has done least, as a rule, and it is fair. A transaction keeps its age over
// its attempts, so that it grows older than all others in the end; the eldest never
// dies in a circle of known ones, and therefore nobody is refused for ever. The one whose
// wait closes the circle may go on waiting while another one, which waits already, is
// woken to die. It dies at all the locks that it waits for, and its client lets go of
// what it holds, or the server does that when the client is gone.
//
// InnoDB searches when a wait begins too (since 8.0.18 in a thread of its own, over a
// copy), lets each wait for one other only, and kills who has changed least, so that one may lose
// again and again. PostgreSQL waits for a second before it searches, counts those before
// in the queue as soft edges, and kills who searched. CockroachDB's waiters ask each
// other's records, over nodes. Vitess leaves what spans shards to time limits. One lock
// per shard makes circles so short here that a search at every wait is cheap: from a
// queue it goes on to its holder's, and so on.
//
// # What else is waited for
//
// A transaction that holds a shard's lock waits for other things as well. None of these
// waits can be part of a circle through a queue, or its own limit ends it:
//
//   - The catalog's lock is the last that anybody takes. Values of sequences are reserved
//     under it, by a transaction beside the one that wants them, and changes of the
//     schema end with it. Its holder waits for no other lock, so that it is no link.
//   - Changes of the schema are transactions like others, or part of such, and have the
//     same ID on all shards. Those that are by themselves come one at a time in a gate:
//     who waits for its turn holds no lock.
//   - GET_LOCK's locks aren't in the graph; a circle through them and a shard ends by
//     the wait that is over first, as in MySQL.
//   - A prepared transaction waits for its decision. Its holder has all its locks and
//     needs no more, whether the decision comes from the coordinator or is asked for.
//   - Commits that wait to show, for who looks at one moment of several shards, wait
//     for readers that have their locks, if any, and need no others.
//   - Commits and checkpoints wait for the disk, and a client that was told of its commit for the
//     shards that are yet to make it: for nothing that is locked.
//   - Room at a server, for a tablet more, is waited for with a limit of its own.
package waits
