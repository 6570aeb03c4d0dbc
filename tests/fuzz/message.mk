# fuzz targets of message
