// Package dropin puts strowger in the place of FusionPBX's units, and takes it back. FusionPBX's upgrade copies its unit files
// over those in /etc/systemd/system, so strowger leaves them alone: it puts a drop-in beside each, which overrides what the
// unit starts.
package dropin
