// Package process runs gates as a process: flags, listeners, logs, and an end in
// good order. The command vitessdo gate serves Cap'n Web by it, and vitessdo-gate,
// which lives in the module of the MySQL protocol, that as well.
//
//	arguments ──▶ one connector ──▶ gate.Gate on HTTP, and each further Protocol
//	signal ──▶ nothing new is begun, what runs has the grace to end
package process
