// Package teacher asks models: OpenAI-compatible calls with pacing, retries, prices and budgets.
//
//	call      one HTTP exchange with a teacher
//	ask       one logical request: the calls, waits and repairs that end in one schema.Response
//	fault     why a call gave no answer; its code says which, its class what follows
//	lease     the rate that a process may use until a moment; without one nothing is sent
//	breaker   stops calls to a teacher that only fails, and tries one now and then
//	budget    money and requests that may still be spent, reserved before a call and settled after it
//
// A Client stands for one teacher in one process and is shared by all who ask it. Its key goes to the
// teacher's base URL alone: redirects are refused, and no error repeats it. There is no retry beneath
// Ask's own, no second key and nothing that evades a block.
package teacher
