/** What a cluster runs that plays the flows: the product's machines, and a stand-in for one that is planned. */
export { gates, payments, session } from '../../machines/index.ts'
export { exchangeStandIn } from './exchange-stand-in.ts'
