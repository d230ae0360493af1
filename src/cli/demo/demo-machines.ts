/** What a cluster runs that plays the flows. */
export { gates, payments, reconciler, session } from '../../machines/index.ts'
