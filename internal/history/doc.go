// Package history checks what transactions have seen against isolation levels.
//
// Clients run transactions that append numbers to lists and read lists, and note
// what they did and saw:
//
//	Run or a test's own schedule ──▶ Recorder ──▶ []Txn ──▶ Check ──▶ Report ──▶ Against(level)
//
// A process that will be killed tells a Journal what it does, as it does it; another
// one reads that and puts what the next process saw behind it:
//
//	Recorder ──▶ Journal ─ ─ ▶ ReadJournal ──▶ []Txn ──▶ After ──▶ Check
//
// A list tells the order of the appends that made it, so that from the lists read
// follows who wrote before whom (ww), who saw whose write (wr), and who didn't see
// a later one (rw). A cycle of such edges, with those of the clients' own order
// (process) and of real time, is an anomaly. This is the method of Kingsbury and
// Alvaro, Elle: Inferring Isolation Anomalies from Experimental Observations (VLDB
// 2020), with the names of Adya, Weak Consistency (MIT 1999).
//
// [Linearizable] checks single keys that are written and read in autocommit, by
// porcupine.
package history
