/** What a cluster runs that plays the flows. */
export { concierge, gates, payments, reconciler, session } from '../../machines/index.ts'
