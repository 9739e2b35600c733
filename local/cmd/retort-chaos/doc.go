// Command retort-chaos holds Retort to what it says of faults, limits and money, with the real command and every part of the stack in
// a process of its own:
//
//	kills    one run while worker, Temporal, S3 gateway and teacher are killed with SIGKILL, one after every so many answers
//	rate     some workers and datasets share one teacher's requests a minute, while one worker dies and is replaced
//	budget   what a teacher bills stays below the cap of a run, whoever is killed
//
// Each prints what it did with its seed, and a verdict in its last line; the exit status is 0 where it holds.
package main
