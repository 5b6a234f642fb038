<?php
return (object) array(
);
