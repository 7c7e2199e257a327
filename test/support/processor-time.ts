/** Milliseconds of processor time that `work` takes of this thread: what others take from a shared machine is not its fault. */
export function processorMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
