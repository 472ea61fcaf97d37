-- What is known of a photo beside its file: what a catalog or the archive says, and where they are silent its sidecar.
CREATE OR REPLACE MACRO given(photo) AS {
    'published_at': coalesce(photo.published_at, photo.sidecar.published_at),
    'captured_at': coalesce(photo.captured_at, photo.sidecar.captured_at),
    'caption': coalesce(photo.caption, photo.sidecar.caption),
    'credit': coalesce(photo.credit, photo.sidecar.credit),
    'source': coalesce(photo.source, photo.sidecar.source)
};
