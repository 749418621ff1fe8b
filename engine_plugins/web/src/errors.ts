/** What a server or this package has against a call. `reason` is stable: INVALID_VALUE, BUSY, UNAVAILABLE, UNAUTHENTICATED, OTHER_VERSION, ... */
export class FacestreamError extends Error {
  override readonly name = "FacestreamError";

  constructor(
    readonly reason: string,
    message: string,
    /** Field to blame, where there is one. */
    readonly field?: string,
    /** After which trying again may help. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/** Reasons for which another call may do better. */
export function isPassing(error: FacestreamError): boolean {
  return ["BUSY", "UNAVAILABLE", "ENGINE_FAILED"].includes(error.reason);
}

interface Detail {
  readonly "@type": string;
  readonly reason?: string;
  readonly fieldViolations?: readonly { readonly field: string }[];
  readonly retryDelay?: string;
}

/** The `google.rpc.Status` that ends a call, in JSON; `undefined` for other text. */
export function errorOf(text: string): FacestreamError | undefined {
  let status: { message?: string; details?: readonly Detail[] };
  try {
    status = JSON.parse(text);
  } catch {
    return undefined;
  }
  const detail = (kind: string): Detail | undefined =>
    status.details?.find((one) => one["@type"] === `type.googleapis.com/google.rpc.${kind}`);
  const delay = detail("RetryInfo")?.retryDelay; // "1.500s"
  return new FacestreamError(
    detail("ErrorInfo")?.reason ?? "INTERNAL",
    status.message ?? text,
    detail("BadRequest")?.fieldViolations?.[0]?.field,
    delay === undefined ? undefined : 1000 * Number.parseFloat(delay),
  );
}
