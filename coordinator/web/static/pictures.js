// Pictures that were fetched as bytes.

/**
 * Show a picture, and keep its bytes no longer than it takes to read them.
 *
 * @param {HTMLImageElement} image
 * @param {Blob} blob
 * @returns {Promise<void>} Once it is there, or cannot be shown.
 */
export async function showPicture(image, blob) {
  const url = URL.createObjectURL(blob);
  image.src = url;
  await image.decode().catch(() => {}); // another has come, or it is none
  URL.revokeObjectURL(url);
}
