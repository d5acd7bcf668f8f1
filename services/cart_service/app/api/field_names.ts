import { canonicalOrderId, ORDER_ITEM, parseStatus } from '#kafka_common/models.ts';
import { camelCase, snakeCase } from '#kafka_common/snake_case.ts';
import type { FieldError } from '#service_common/errors.ts';
import { CreateOrderBody, UpdateOrderBody } from './schemas.ts';

/** Brings the two accepted spellings of a body's fields together: snake_case, as in events, and camelCase. */

const FIELDS = [
  ...Object.keys({ ...CreateOrderBody.properties, ...UpdateOrderBody.properties }),
  ...Object.keys(ORDER_ITEM).map(snakeCase),
];

const SNAKE_CASE: ReadonlyMap<string, string> = new Map(FIELDS.map((field) => [camelCase(field), field]));

/** The body with its fields in snake_case, and its contradictions. A body that is not an object comes back unchanged. */
export const toSnakeCase = (body: unknown): { body: unknown; errors: FieldError[] } => {
  const errors: FieldError[] = [];
  const renamed = rename(body, '', errors);
  if (isObject(renamed) && Array.isArray(renamed['items'])) {
    renamed['items'] = renamed['items'].map((item: unknown, index) => rename(item, `items.${index}.`, errors));
  }
  return { body: renamed, errors };
};

const rename = (value: unknown, path: string, errors: FieldError[]): unknown => {
  if (!isObject(value)) return value;
  const renamed: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(value)) {
    const field = SNAKE_CASE.get(name) ?? name;
    const content = contentOf(field, given);
    if (Object.hasOwn(renamed, field) && renamed[field] !== content) {
      errors.push({
        field: `${path}${field}`,
        message: 'is given twice, under two names, with different values; give it once',
      });
    }
    renamed[field] = content;
  }
  return renamed;
};

/** Order ids and statuses have several spellings too. */
const contentOf = (field: string, given: unknown): unknown => {
  if (field === 'order_id') return orderIdOf(given);
  return field === 'status' && typeof given === 'string' ? (parseStatus(given) ?? given) : given;
};

/** The canonical order id. An exact JSON integer is read as its digits. Anything that is not an order id stays as it is. */
const orderIdOf = (id: unknown): unknown => {
  const text = Number.isSafeInteger(id) && Number(id) >= 0 ? String(id) : id;
  return typeof text === 'string' ? (canonicalOrderId(text) ?? text) : id;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
