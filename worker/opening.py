"""What a request begins from: its photo, decoded, and what the network sees of it, both kept.

Shapes: S image side.
"""

from dataclasses import replace

from PIL import Image

from models.base import Prepared, System
from worker import crops, fullres, pictures, results
from worker.archives import Archives
from worker.cache import ByteCache
from worker.failures import BadMask
from worker.loading import ModelPool
from worker.messages import Crop, Request
from worker.pictures import Photo
from worker.sources import Source, of_one_size
from worker.store import NotStored, Store


class Opener:
    """Opens photos and keeps what many captions may be tried on; for one thread."""

    def __init__(self, models: ModelPool, store: Store, *, cache_bytes: int) -> None:
        self._models = models
        self._archives = Archives(store)
        self._photos = ByteCache[Photo](cache_bytes * 5 // 8, _photo_bytes)
        self._small = ByteCache[Image.Image](cache_bytes // 8, _pixels_bytes)
        self._prepared = ByteCache[Prepared](cache_bytes // 4, _prepared_bytes)

    def photo(self, file_id: str) -> Photo:
        """A picture of the store, decoded.

        Raises:
            NotStored: it is gone.
        """
        return self._photos.get(file_id, lambda: pictures.decode(self._archives.get(file_id)))

    def prepare(self, system: System, photo: Photo, crop: Crop | None = None) -> Prepared:
        """What the network sees in the crop of a photo, by default the largest centred square."""
        crop = crop or crops.centred_square(*photo.pixels.size)
        image = fullres.look(photo.pixels, crop, system.cfg.image_size)[None]
        return system.prepare(image.to(self._models.device))

    def source(self, system: System, request: Request) -> Source:
        """The photo that a request starts from, or the two between which it goes, prepared.

        Raises:
            NotStored: the request names none, or it is gone.
            BadPicture, BadCrop, BadMask: it can't be used so.
        """
        if request.image_id is None:
            raise NotStored(f"to {request.task} takes a picture, and the request names none")
        photo, mask = self.photo(request.image_id), self._mask(request)
        start = self._seen(system, request, request.image_id, request.crop)
        if request.image_id_to is None:
            return replace(start, mask=mask)
        beside = of_one_size(photo, self.photo(request.image_id_to))
        if mask is not None and not beside:
            raise BadMask("a mask has the size of one photo, and the two photos differ in size")
        crop = request.crop if beside else None
        end = self._seen(system, request, request.image_id_to, crop)
        return replace(start, mask=mask, to=end)

    def _seen(self, system: System, request: Request, image_id: str, crop: Crop | None) -> Source:
        """A photo and what the network sees in its crop, by default the largest centred square."""
        photo = self.photo(image_id)
        crop = crop or crops.centred_square(*photo.pixels.size)
        crops.check_crop(crop, *photo.pixels.size)
        prepared = self._prepared.get(
            (image_id, crop, self._models.version(request.model)),
            lambda: self.prepare(system, photo, crop),
        )
        return Source(photo, crop, None, prepared, small=self._preview(request, image_id, photo))

    def _preview(self, request: Request, image_id: str, photo: Photo) -> Image.Image | None:
        """The photo at the size of previews: many may come of it, one for each letter typed."""
        if request.full_resolution:
            return None
        return self._small.get(image_id, lambda: crops.shrink(photo.pixels, results.PREVIEW_SIDE))

    def _mask(self, request: Request) -> Image.Image | None:
        if request.mask_id is None or request.image_id is None:
            return None
        mask, photo = self.photo(request.mask_id).pixels, self.photo(request.image_id).pixels
        if mask.size != photo.size:
            wanted = "the photo's {} x {}".format(*photo.size)
            raise BadMask("the mask has {} x {} pixels, wanted ".format(*mask.size) + wanted)
        return mask.convert("L")


def _photo_bytes(photo: Photo) -> int:
    grey = photo.pixels.width * photo.pixels.height if photo.alpha else 0
    return _pixels_bytes(photo.pixels) + grey


def _pixels_bytes(image: Image.Image) -> int:
    """Pillow keeps four bytes for a pixel in colour, one for a grey one."""
    return 4 * image.width * image.height


def _prepared_bytes(prepared: Prepared) -> int:
    return sum(tensor.nbytes for tensor in (prepared.image, *prepared.features))
