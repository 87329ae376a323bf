// Package typescript holds the TypeScript client of gates, and the Go test that
// runs its tests.
//
//	src ──▶ tsc ──▶ node --test, against a gate that the test serves
package typescript
