//go:build race

package distributor

// raceDetector says that sync.Pool forgets things at random.
const raceDetector = true
