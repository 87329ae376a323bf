// Package process is a tablet server as a process: the tablets of one data
// directory, behind HTTP and WebSockets.
//
//	arguments ──▶ host.Host on the directory ──▶ rpc.Server ──▶ one listener, until ctx ends
//
// A directory that was used embedded is recovered as such first. Beside the
// protocol there are health, metrics and logs.
package process
