// Package meter measures how long things take, so cheaply that every message can be measured.
package meter
