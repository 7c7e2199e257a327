/**
 * Starting makes much garbage and little that stays: V8 would answer with a young generation of three times 16 MB, which an idle server
 * then keeps (25 MB resident of nothing). So it may not grow before the server is ready, and may afterwards, when load makes it worth it.
 */
import v8 from 'node:v8';

/**
 * Before the modules of a command are loaded. In pauses V8 gives nothing back: what goes with the memory is compiled code (the shapes of the
 * objects it was made for are collected), and the next burst of a night would spend its first seconds compiling again. This is said now or
 * never: V8's reducer of memory ends the process when its number of collections falls below what it has begun (docs/decisions/0040-flags-v8-counts-by.md).
 */
export function startSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  v8.setFlagsFromString('--memory-reducer-gc-count=0');
}

/**
 * Once the server accepts connections. The young generation grows as V8 has it by default. The old one may hold three times what is alive
 * before it is collected: with 50 MB alive V8 would collect it twice a second under load, a fifth of all processor time.
 */
export function allowGrowth(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
  v8.setFlagsFromString('--heap-growing-percent=200');
}
