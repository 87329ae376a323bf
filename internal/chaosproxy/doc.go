// Package chaosproxy stands between a gate and a tablet server, and does what
// networks do, by dice that a seed throws: requests and answers get lost, come late,
// twice, cut short and in another order.
//
// A connection is watched as bytes: a WebSocket's messages are numbered by the
// protocol, so that its session ends when one is missing, and what a network can do
// to it is to delay it, to stall it and to break it at any byte. HTTP requests are
// watched one by one: each may be lost before it arrives or after it was carried
// out, arrive twice, wait for others to overtake it, and have its answer cut short.
package chaosproxy
