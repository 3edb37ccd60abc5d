// Jobs and pictures in the API's shape, with only what a test is about spelled out.

export function file(kind, url) {
  return { kind, url, content_type: "image/png", bytes: 1 };
}

export function image(values = {}) {
  return {
    id: "image",
    position: 0,
    name: "cat.jpg",
    status: "succeeded",
    error: null,
    width: 100,
    height: 80,
    foreground: null,
    instances: [],
    files: [],
    ...values,
  };
}

export function job({ options = {}, images = [image()], ...values } = {}) {
  return {
    id: "job",
    status: "succeeded",
    options: { method: "auto", boxes: [], background: null, format: "png", crop: false, ...options },
    images_total: images.length,
    images,
    ...values,
  };
}
