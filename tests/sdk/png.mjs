// Writes and measures small PNG images, so that the tests carry no binary files.

import { deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/// A PNG of `width` times `height` pixels with a colour gradient (8 bit RGB).
export function png(width, height) {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 2, 0, 0, 0], 8);
    const rows = Buffer.alloc((width * 3 + 1) * height);
    for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
            const at = y * (width * 3 + 1) + 1 + x * 3;
            rows.set([(x * 255) / width, (y * 255) / height, 128], at);
        }
    }
    const data = deflateSync(rows);
    return Buffer.concat([SIGNATURE, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND")]);
}

/// Width and height of a PNG, or `undefined` if `bytes` are none.
export function pngSize(bytes) {
    if (!bytes.subarray(0, 8).equals(SIGNATURE)) return undefined;
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function chunk(type, data = Buffer.alloc(0)) {
    const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const whole = Buffer.alloc(named.length + 8);
    whole.writeUInt32BE(data.length, 0);
    whole.set(named, 4);
    whole.writeUInt32BE(crc32(named), named.length + 4);
    return whole;
}

/// CRC-32 as PNG wants it (ISO 3309); `node:zlib` has it only since Node 20.15.
function crc32(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return (crc ^ 0xffffffff) >>> 0;
}
