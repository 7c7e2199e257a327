/**
 * Starting makes much garbage and little that stays: V8 would answer with a young generation of three times 16 MB, which an idle server
 * then keeps (25 MB resident of nothing). So it may not grow before the server is ready, and may afterwards, when load makes it worth it.
 */
import v8 from 'node:v8';

/** V8 looks after eight idle seconds whether memory can be given back. */
const tidiedAfterMs = 15_000;

/** Before the modules of a command are loaded. */
export function startSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Once the server accepts connections. The young generation grows as V8 has it by default. The old one may hold three times what is alive
 * before it is collected: with 50 MB alive V8 would collect it twice a second under load, a fifth of all processor time. What starting
 * left is given back in the first idle seconds; later pauses give nothing back, since what goes with the memory is compiled code (the
 * shapes of the objects it was made for are collected), and the next burst of a night would spend its first seconds compiling again.
 */
export function allowGrowth(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
  v8.setFlagsFromString('--heap-growing-percent=200');
  setTimeout(() => v8.setFlagsFromString('--memory-reducer-gc-count=0'), tidiedAfterMs).unref();
}
