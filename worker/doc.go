// Package worker puts the rooms together and registers them with Temporal: one process asks, inspects, admits and writes for all
// datasets of a store. Two task queues keep pages that wait for a teacher from holding up what decides and writes.
package worker
