// Package await lets tests wait for what others are about to do: for a condition, and
// never for a time. Nothing is said about when a condition comes true, only that it
// does: the limit is generous, as a loaded machine needs it, and is reached only by a
// test that fails.
//
//	True, Nil   ask again and again ──▶ so at last, or the test fails with what was asked last
//	Goroutines  counts now, and when the test ends ──▶ none that it began is left
package await
