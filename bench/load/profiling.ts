/** Arguments of Node for a node that leaves a CPU profile in that directory when it ends, `ID.cpuprofile`; null: none. */
export function profiling(directory: string | null, id: string): readonly string[] {
  if (directory === null) return []
  return ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-name', `${id}.cpuprofile`]
}
