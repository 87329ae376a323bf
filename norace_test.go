//go:build !race

package vitessdo

const raceEnabled = false
