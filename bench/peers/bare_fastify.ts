/**
 * The upper limit for a service on Fastify: the schemas and answers of the services, but no decisions, no store, no
 * broker and no metrics.
 */
import Fastify from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { AJV_OPTIONS } from '../../libs/service_common/http/ajv_options.ts';
import { CreateOrderBody, Published } from '../../services/cart_service/app/api/schemas.ts';
import { OrderDetails, OrderDetailsQuery } from '../../services/order_service/app/api/routes.ts';

const app = Fastify({ ajv: { customOptions: AJV_OPTIONS } }).withTypeProvider<TypeBoxTypeProvider>();

const CREATED = 'order created and published successfully';
const response = { 200: Published(CREATED) };

app.post('/create-order', { schema: { body: CreateOrderBody, response } }, (request, reply) => {
  void reply.send({ message: CREATED, orderId: `ORD-${String(request.body.order_id)}` });
});

app.get(
  '/order-details',
  { schema: { querystring: OrderDetailsQuery, response: { 200: OrderDetails } } },
  (request, reply) => {
    const items = [1, 2, 3].map((n) => ({ itemId: `ITEM-00${n}`, quantity: 2, price: 75.5 }));
    void reply.send({
      order: {
        orderId: request.query.orderId,
        customerId: 'CUST-00042',
        orderDate: '2026-01-18T12:00:00.000Z',
        items,
        totalAmount: 453,
        currency: 'USD',
        status: 'new',
      },
      shippingCost: 9.06,
    });
  },
);

console.log(`listening on ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
