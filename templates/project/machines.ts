// Every machine that the nodes run: holdfast.config.yaml names this file.
export { orders } from './machines/orders.ts'
