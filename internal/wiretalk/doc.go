// Package wiretalk plays the conversations that docs/protocol.md gives as
// examples, so that the page stays true.
//
//	block of lines C and S ──▶ sent, and compared with what comes ──▶ the page, as it should be
package wiretalk
